"""What a model or a person may ask beside the fixed plan. Every tool only reads."""
