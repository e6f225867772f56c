"""A whole library at once: is a run that is killed taken up again, with nothing made twice, and how quick is it?"""
