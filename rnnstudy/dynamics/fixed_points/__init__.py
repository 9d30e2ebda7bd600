"""Fixed points of networks at constant inputs, with a certificate of completeness."""
