"""Foundations without TensorFlow: components, records, catalogues, exhibits, lazy imports.

`component.Component` is the base of settings, `record.Record` that of results, `exhibit.Exhibit`
that of figures and tables as data. `catalogue.catalogue` lists the entries of a folder.
"""
