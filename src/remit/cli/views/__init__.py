"""Views: what commands print, as tables and lines; nothing here reads or writes."""
