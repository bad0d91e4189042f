"""What looks into an incident: the monitor collects, the diagnoser concludes."""
