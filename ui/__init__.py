"""What the dashboard's pages share, and the parts that they are made of."""
