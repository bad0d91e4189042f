"""Ask the sources again: does what an answer cites still stand?"""
