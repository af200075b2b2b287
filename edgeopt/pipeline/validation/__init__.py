"""What is checked of data and of artifacts before anything is built on them."""
