"""numpy, pandas and matplotlib: a table, its sums, and a picture of it."""

import os

os.environ["MPLCONFIGDIR"] = "/tmp"

import matplotlib

matplotlib.use("Agg")
import numpy
import pandas
from matplotlib import pyplot

matrix = numpy.arange(250000, dtype=float).reshape(500, 500)
print("product", int((matrix @ numpy.eye(500)).sum()))
print("solved", numpy.allclose(numpy.linalg.inv(matrix + 1e6 * numpy.eye(500)) @ (matrix + 1e6 * numpy.eye(500)), numpy.eye(500)))
mapped = numpy.memmap("/volume/mapped", dtype="uint8", mode="w+", shape=65536)
mapped[:] = 7
mapped.flush()

table = pandas.DataFrame({"name": ["a", "b"] * 50, "value": range(100)})
table.to_csv("/volume/table.csv", index=False)
sums = pandas.read_csv("/volume/table.csv").groupby("name").value.sum()
print("sums", sums["a"], sums["b"])

pyplot.plot(table.value ** 2)
pyplot.title("squares")
pyplot.savefig("/volume/figure.png")
with open("/volume/figure.png", "rb") as file:
    print("picture", file.read(4)[1:].decode())
