"""Deploys and changes that other tools report."""
