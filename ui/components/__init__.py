"""Widgets that every page uses: grids, charts, markup, filters, downloads."""
