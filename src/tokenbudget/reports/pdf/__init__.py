"""Reports as PDF, set by typst, which is imported here alone and when it is used."""
