"""The words that every other room uses: values, protocols, errors. Standard library only."""
