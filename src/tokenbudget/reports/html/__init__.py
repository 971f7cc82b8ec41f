"""Reports as one HTML file that works without a network; `vendor/README.md` tells what is in it."""
