"""Report of a run: one HTML page with figures and tables beside it.

`build` collects the contents of a run, `page` writes them. `figures` draws exhibits with matplotlib
and plotly; `plot` is its public function.
"""
