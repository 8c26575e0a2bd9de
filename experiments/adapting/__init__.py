"""What lets peers that take less than a whole call be asked all the same; each file serves several of them."""
