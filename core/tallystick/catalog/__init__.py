"""What people define: meters, customers and keys. Every change is an entry of the log; the tables are a fold over them."""
