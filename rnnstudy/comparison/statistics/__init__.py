"""Tests, intervals and effect sizes for labels on distances."""
