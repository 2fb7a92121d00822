"""Questions over events: windows of the local calendar, groups, aggregations, and their exact answers."""
