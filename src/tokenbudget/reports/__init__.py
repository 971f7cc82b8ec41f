"""One reporter per format; receives results, computes nothing."""
