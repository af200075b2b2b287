"""What every room shares: the errors, the record type, tensors, precisions, files."""
