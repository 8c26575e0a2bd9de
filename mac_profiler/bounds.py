"""The least memory access that a convolution or matrix product can have, at its multiply-adds and map sizes.

ShuffleNet V2 (arXiv 1807.11164) gives it for a 1x1 convolution (eq. 1). In general a convolution of kernel area k in g
groups reads c1 channels of n positions, writes c2 channels of m positions (all images of the batch together), and
reads a weight of k c1 c2 / g elements:

    accesses A = n c1 + m c2 + W,    W = k c1 c2 / g,    multiply-adds B = m W    (n W where it is transposed)

At given B, k, g, n and m, W is given, and so is the product of the widths, c1 c2 = W g / k. Of two terms whose product
is given the sum is least where they are equal (inequality of the means), so

    A >= 2 sqrt(n m c1 c2) + W = 2 sqrt(n m W g / k) + W,    equal where n c1 = m c2

With k = g = 1 and n = m = hw this is the paper's 2 sqrt(hwB) + B/hw, equal where c1 = c2 (G1). It grows with g: among
all numbers of groups one group has the least, 2 sqrt(n m W / k) + W (G2). Accesses are whole numbers, so that the roots
are rounded up.

A product of matrices, [b, n, c1] x [b, c1, c2], is the same with b groups of n positions: b n c1 + b n c2 + b c1 c2.

Biases are no part of either side, and no tensor is taken to be two operands. A depthwise convolution has g = c1 = c2:
its widths cannot be chosen, and where its stride is not 1 no other widths attain the first bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod

from mac_profiler.graph import Graph, Op, Value

_NAMES = """
    convolution _convolution convolution_overrideable cudnn_convolution cudnn_convolution_transpose
    cudnn_convolution_relu cudnn_convolution_add_relu mkldnn_convolution miopen_convolution
    miopen_convolution_transpose miopen_convolution_relu miopen_convolution_add_relu miopen_depthwise_convolution
    _mps_convolution _mps_convolution_transpose _nnpack_spatial_convolution _slow_conv2d_forward slow_conv3d_forward
    slow_conv_dilated2d slow_conv_dilated3d slow_conv_transpose2d slow_conv_transpose3d _conv_depthwise2d
    conv_depthwise3d
"""
_CONVOLUTIONS = frozenset(f"aten.{name}" for name in _NAMES.split())
_LINEAR = frozenset({"aten.linear", "aten.mkldnn_linear"})
# Names of the two factors under the operator's schema.
_FACTORS = {
    "aten.mm": ("self", "mat2"),
    "aten.bmm": ("self", "mat2"),
    "aten.addmm": ("mat1", "mat2"),
    "aten.addmm_": ("mat1", "mat2"),
    "aten.baddbmm": ("batch1", "batch2"),
    "aten.baddbmm_": ("batch1", "batch2"),
}


@dataclass(frozen=True, slots=True)
class Product:
    """A convolution or matrix product, as far as its memory access depends on it.

    Attributes:
        positions_in: positions of the maps that it reads, over all images.
        positions_out: positions of the maps that it writes.
        channels_in: channels of what it reads, of all groups.
        channels_out: channels of what it writes.
        kernel_area: weights of one pair of channels; 9 of a 3x3 kernel.
        groups: it works on so many parts of the channels apart.
        transposed: every input element is spread over the kernel, instead of every output element summed over it.
    """

    positions_in: int
    positions_out: int
    channels_in: int
    channels_out: int
    kernel_area: int = 1
    groups: int = 1
    transposed: bool = False

    @property
    def weights(self) -> int:
        """Elements of the weight, W."""
        return self.kernel_area * self.channels_in * self.channels_out // self.groups

    @property
    def mult_adds(self) -> int:
        """Multiply-adds, B."""
        return self.weights * (self.positions_in if self.transposed else self.positions_out)

    @property
    def accesses(self) -> int:
        """Elements read and written, A; each once."""
        return self.positions_in * self.channels_in + self.positions_out * self.channels_out + self.weights

    @property
    def least_accesses(self) -> int:
        """Least A of any widths, at the same multiply-adds, map sizes, kernel and groups: what G1 is about."""
        return _least_sum(self.positions_in * self.positions_out * self.channels_in * self.channels_out) + self.weights

    @property
    def least_ungrouped(self) -> int:
        """Least A of any widths and any number of groups, at the same multiply-adds, map sizes and kernel."""
        pairs = self.channels_in * self.channels_out // self.groups
        return _least_sum(self.positions_in * self.positions_out * pairs) + self.weights


@dataclass(frozen=True, slots=True)
class Bound:
    """Sums over the convolutions and matrix products of a graph; see `Product`."""

    mult_adds: int = 0
    accesses: int = 0
    least_accesses: int = 0
    least_ungrouped: int = 0


def bound(graph: Graph) -> Bound:
    """Accesses of all convolutions and matrix products of a graph, and the least that they could have, each by itself.

    What has no products, such as an addition, is not in it: the accesses of the whole graph are more.
    """
    products = [product for op in graph.ops if (product := product_of(op)) is not None]
    return Bound(
        sum(product.mult_adds for product in products),
        sum(product.accesses for product in products),
        sum(product.least_accesses for product in products),
        sum(product.least_ungrouped for product in products),
    )


def product_of(op: Op) -> Product | None:
    """What an operator is as a product; None where it is neither a forward convolution nor a matrix product."""
    if op.target in _CONVOLUTIONS:
        return _convolution(op)
    if op.target in _LINEAR:
        channels_out, channels_in = op.args["weight"].shape
        positions = prod(op.outputs[0].shape[:-1])
        return Product(positions, positions, channels_in, channels_out)
    if op.target in _FACTORS:
        return _matrix_product(*(op.args[name] for name in _FACTORS[op.target]))
    return None


def _convolution(op: Op) -> Product:
    # [n, c_out, *out] = convolution([n, c_in, *in], [c_out, c_in / groups, *kernel])
    # transposed:        convolution([n, c_in, *in], [c_in, c_out / groups, *kernel])
    source: Value = op.args["input"] if "input" in op.args else op.args["self"]
    weight: Value = op.args["weight"]
    maps = op.outputs[0]
    transposed = bool(op.args.get("transposed")) or "transpose" in op.target
    # Channels stand ahead of the dimensions that the kernel has; a single image comes without a batch.
    channel = 1 - len(weight.shape)
    channels_in, channels_out = source.shape[channel], maps.shape[channel]
    groups = (channels_out if transposed else channels_in) // weight.shape[1]
    return Product(
        source.elements // channels_in,
        maps.elements // channels_out,
        channels_in,
        channels_out,
        prod(weight.shape[2:]),
        groups,
        transposed,
    )


def _matrix_product(left: Value, right: Value) -> Product:
    # [b, n, p] = bmm([b, n, m], [b, m, p])
    *batches, rows, shared = left.shape
    columns = right.shape[-1]
    # The positions are on the side of the maps: W x of a weight W has them in its columns.
    if left.role in ("weight", "buffer") and right.role not in ("weight", "buffer"):
        rows, columns = columns, rows
    number = prod(batches)
    return Product(rows, rows, number * shared, number * columns, 1, number)


def _least_sum(product: int) -> int:
    """Least whole number that two numbers of this product can sum to: 2 sqrt(product), rounded up."""
    return isqrt(4 * product - 1) + 1 if product else 0
