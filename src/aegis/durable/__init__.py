"""Work that survives the process: queues, steps, waiting, recovery. DBOS does it underneath."""
