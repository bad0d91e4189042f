"""A Feishu on this machine that keeps Feishu's rules: for tests, and for trying things by hand."""
