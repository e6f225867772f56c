"""Many requests at once against a real server: is every one answered right, and how quickly?"""
