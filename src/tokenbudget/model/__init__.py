"""The words that every other room uses: frozen values, protocols and errors. Standard library only."""
