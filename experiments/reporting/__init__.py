"""What every experiment's report is made with: the command line, the machine, intervals, files, figures."""
