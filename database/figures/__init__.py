"""Figures over time, summed by the database: what the charts of the control room are drawn from."""
