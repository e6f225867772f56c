"""Everything that can go wrong, at once, under load: is every other request answered right?"""
