"""What the devices share: a case is prepared, compiled or recorded, and the machine is watched while it is timed."""
