"""Convolution, 1-d to 3-d, grouped, depthwise, dilated and transposed, forward and backward."""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, product_flops, traffic
from mac_profiler.graph import Op, Value


@formula(
    *aten("convolution _convolution convolution_overrideable cudnn_convolution cudnn_convolution_transpose"),
    *aten("mkldnn_convolution miopen_convolution miopen_convolution_transpose miopen_depthwise_convolution"),
    *aten("_mps_convolution _mps_convolution_transpose _nnpack_spatial_convolution _slow_conv2d_forward"),
    *aten("slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d slow_conv_transpose2d slow_conv_transpose3d"),
    *aten("_conv_depthwise2d conv_depthwise3d"),
)
def convolution(op: Op) -> Cost:
    """Every output element sums over channels_in / groups x kernel products; transposed, every input element is spread.

    For a 1x1 kernel the accesses are hw(c1 + c2) + c1 c2 / g (ShuffleNet V2, eq. 1 and 2), plus the bias where it has
    one.
    """
    # [n, c_out, *out] = convolution([n, c_in, *in], [c_out, c_in / groups, *kernel])
    # transposed:        convolution([n, c_in, *in], [c_in, c_out / groups, *kernel])
    out = op.outputs[0]
    transposed = op.args.get("transposed") or "transpose" in op.target
    mult_adds = _products(_input(op) if transposed else out, op.args["weight"])
    bias = out.elements if op.args.get("bias") is not None else 0
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, bias))


@formula(*aten("cudnn_convolution_relu cudnn_convolution_add_relu miopen_convolution_relu miopen_convolution_add_relu"))
def convolution_with_activation(op: Op) -> Cost:
    """A convolution whose kernel also adds the bias, a second tensor (`z`) and clamps: 1 FLOP an element each."""
    out = op.outputs[0]
    mult_adds = _products(out, op.args["weight"])
    after = 1 + (op.args.get("bias") is not None) + (op.args.get("z") is not None)
    return traffic(
        op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, after * out.elements)
    )


@formula(
    *aten("convolution_backward convolution_backward_overrideable mps_convolution_backward"),
    "aten.mps_convolution_transpose_backward",
)
def convolution_backward(op: Op) -> Cost:
    """The gradients of input and of weight take the products of the forward each; that of the bias is a sum.

    Which of the three are produced stands in `output_mask`; what a gradient does not need is not read.
    """
    grad, weight, source = op.args["grad_output"], op.args["weight"], _input(op)
    of_input, of_weight, of_bias = (*op.args["output_mask"], False)[:3]
    transposed = op.args.get("transposed") or "transpose" in op.target
    mult_adds = (of_input + of_weight) * _products(source if transposed else grad, weight)
    reads = {}
    if not of_input:
        reads[weight] = 0
    if not of_weight and source is not None:
        reads[source] = 0
    flops = product_flops(op, mult_adds) + floating_flops(op, grad.elements if of_bias else 0)
    return traffic(op, mult_adds=mult_adds, flops=flops, reads=reads)


@formula("aten.conv_tbc")
def conv_tbc(op: Op) -> Cost:
    """1-d convolution of time, batch, channel tensors."""
    # [t_out, n, c_out] = conv_tbc([t, n, c_in], [kernel, c_in, c_out], [c_out])
    out, weight = op.outputs[0], op.args["weight"]
    mult_adds = out.elements * weight.shape[0] * weight.shape[1]
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, out.elements))


@formula("torchvision.deform_conv2d", "torchvision._deform_conv2d")
def deform_conv2d(op: Op) -> Cost:
    """A convolution over bilinear samples: the products of the convolution, and 4 taps (7 FLOPs) a sample.

    A sample is taken for every input channel and kernel position of every output position; a mask scales it (1 FLOP).
    """
    # [n, c_out, oh, ow] = deform_conv2d([n, c_in, h, w], [c_out, c_in / groups, kh, kw], offset, mask, bias)
    out, weight, source = op.outputs[0], op.args["weight"], op.args["input"]
    mult_adds = _products(out, weight)
    samples = out.shape[0] * source.shape[1] * prod(weight.shape[2:]) * prod(out.shape[2:])
    sampling = samples * (8 if op.args.get("use_mask") else 7)
    unused = {} if op.args.get("use_mask", True) else {op.args["mask"]: 0}
    flops = product_flops(op, mult_adds) + floating_flops(op, sampling + out.elements)
    return traffic(op, mult_adds=mult_adds, flops=flops, reads=unused)


@formula("torchvision._deform_conv2d_backward")
def deform_conv2d_backward(op: Op) -> Cost:
    """Gradients of the samples and of the weight: the products of the forward each; sampling is differentiated thrice.

    Input, offset and mask each take the 4 taps of every sample (7 FLOPs).
    """
    grad, weight, source = op.args["grad"], op.args["weight"], op.args["input"]
    mult_adds = 2 * _products(grad, weight)
    samples = grad.shape[0] * source.shape[1] * prod(weight.shape[2:]) * prod(grad.shape[2:])
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, 21 * samples))


def _products(per: Value, weight: Value) -> int:
    """Products, where every element of `per` meets the weights of one channel of the weight's first dimension."""
    return per.elements * prod(weight.shape[1:])


def _input(op: Op) -> Value:
    """The tensor that is convolved; kernels of single libraries call it `self`."""
    found: Value = op.args["input"] if "input" in op.args else op.args["self"]
    return found
