"""Breaks the engine on purpose, one small change at a time, and asks its tests to notice."""
