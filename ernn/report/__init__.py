"""The report of one accelerator: its content, its charts, and the three files it is written to."""
