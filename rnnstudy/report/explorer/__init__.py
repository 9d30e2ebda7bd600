"""Explorer of a report: data of all networks, and the views that show each of them."""
