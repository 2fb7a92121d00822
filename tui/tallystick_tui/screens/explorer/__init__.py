"""The explorer: any question to any meter, as a table or a graph, down to the events behind a figure."""
