"""What results look like: a record in, lines and tables out."""
