"""Fixtures for the tests of programs that use AMQP (entry point `pytest11`).

Importing this costs nothing: trio and the broker are loaded when a fixture is first used.
"""
