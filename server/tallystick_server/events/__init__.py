"""Raw events: in, out, voided, and as they land."""
