"""Takes what Alertmanager posts: reads each alert alone, has it stored, says what was stored."""
