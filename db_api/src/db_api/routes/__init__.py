"""The management side, `/api`: what each path does, and who may ask for it."""
