# Each target forwards to ./run, which works on machines without make.
.PHONY: help demo room test test-all check format bench lock
.DEFAULT_GOAL := help

help demo room test test-all check format bench lock:
	@./run $@ $(ARGS)
