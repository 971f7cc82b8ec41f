"""Make text smaller without losing what will be used; say what was removed."""
