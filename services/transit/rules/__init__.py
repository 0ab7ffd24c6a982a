"""What is true of transit without a database, a clock or a network: distances, fares, tickets."""
