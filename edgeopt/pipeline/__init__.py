"""What joins the rooms: one function a command, with the command's names."""
