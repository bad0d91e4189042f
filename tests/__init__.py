"""Tests read as sentences, use fakes and open no sockets."""
