"""Reading a model back: what its file holds, whoever made it."""
