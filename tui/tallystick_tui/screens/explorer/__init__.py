"""Any question about usage: grouped, filtered, compared, as table or graph, down to the events."""
