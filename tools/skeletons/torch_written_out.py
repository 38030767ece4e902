# SPDX-License-Identifier: MIT
"""Functions of torch that opset 13 has no operator for, in terms of those it
has.  They stand for torch's own only while a graph is traced.
"""

import contextlib
import math

import torch

from torch_subject import Refused


def attention(query, key, value, attn_mask=None, dropout_p=0.0,
                          is_causal=False, scale=None, enable_gqa=False):
    """Attention as products and a softmax: opset 13 has no operator for it."""
    if is_causal or enable_gqa or dropout_p:
        raise Refused("attention that is causal, grouped or drops")
    if scale is None:
        scale = 1.0 / math.sqrt(query.size(-1))
    scores = (query * scale) @ key.transpose(-2, -1)
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            raise Refused("attention with a mask of booleans")
        scores = scores + attn_mask
    return scores.softmax(-1) @ value


def batch_norm_by(norm):
    """Normalizing by the batch's own numbers, as weights are standardized,
    is written out: the operator would be that of training."""
    def batch_norm(x, running_mean, running_var, weight=None, bias=None,
                   training=False, momentum=0.1, eps=1e-5):
        if not training or running_mean is not None:
            return norm(x, running_mean, running_var, weight, bias, training,
                        momentum, eps)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        away = x - x.mean(axes, keepdim=True)
        x = away / ((away * away).mean(axes, keepdim=True) + eps).sqrt()
        wide = [1, -1] + [1] * (x.ndim - 2)
        x = x if weight is None else x * weight.reshape(wide)
        return x if bias is None else x + bias.reshape(wide)
    return batch_norm


def rms_norm(x, normalized_shape, weight=None, eps=None):
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    axes = [-1 - i for i in range(len(normalized_shape))]
    x = x / ((x * x).mean(axes, keepdim=True) + eps).sqrt()
    return x if weight is None else x * weight


def grid_sample(image, grid, mode="bilinear",
                            padding_mode="zeros", align_corners=None):
    """Samples between four pixels; what lies outside is zero."""
    if (mode, padding_mode, align_corners) != ("bilinear", "zeros", True):
        raise Refused("a grid_sample of mode %s, %s" % (mode, padding_mode))
    height, width = image.shape[-2:]
    flat = image.flatten(2)
    x = (grid[..., 0].flatten(1) + 1) * ((width - 1) / 2)
    y = (grid[..., 1].flatten(1) + 1) * ((height - 1) / 2)
    left, top = x.floor(), y.floor()
    total = 0
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        at_x, at_y = left + dx, top + dy
        part = (1 - (x - at_x).abs()) * (1 - (y - at_y).abs())
        inside = ((at_x >= 0).float() * (at_x <= width - 1).float()
                  * (at_y >= 0).float() * (at_y <= height - 1).float())
        index = (at_y.relu().minimum(0 * at_y + (height - 1)) * width
                 + at_x.relu().minimum(0 * at_x + (width - 1))).long()
        index = index.unsqueeze(1) + 0 * flat[:, :, :1].long()
        total = total + flat.gather(2, index) * (part * inside).unsqueeze(1)
    return total.reshape(*image.shape[:2], *grid.shape[1:3])


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Overlapping patches summed: a transposed convolution that copies."""
    def pair(value):
        return [value] * 2 if isinstance(value, int) else list(value)

    output, kernel, dilation, padding, stride = map(
        pair, (output_size, kernel_size, dilation, padding, stride))
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    patches = [(size + 2 * p - span) // s + 1 for size, p, span, s
               in zip(output, padding, spans, stride)]
    beyond = [size - ((n - 1) * s - 2 * p + span) for size, n, s, p, span
              in zip(output, patches, stride, padding, spans)]
    places = kernel[0] * kernel[1]
    channels = x.shape[1] // places
    copy = torch.eye(places).reshape(places, 1, *kernel)
    found = torch.nn.functional.conv_transpose2d(
        x.reshape(-1, places, *patches), copy, None, stride, padding, beyond,
        1, dilation)
    return found.reshape(-1, channels, *output)


def adaptive_average_by(adaptive):
    """Windows of one size each, where the sizes divide: that of tracing."""
    def pool(x, output_size):
        if isinstance(output_size, int):
            output_size = (output_size, output_size)
        before = [int(size) for size in x.shape[-2:]]
        if tuple(output_size) in ((1, 1), tuple(before)) or (
                None in output_size) or any(
                    old % new for old, new in zip(before, output_size)):
            return adaptive(x, output_size)
        kernel = [old // new for old, new in zip(before, output_size)]
        return torch.nn.functional.avg_pool2d(x, kernel)
    return pool


def einsum_by(einsum):
    """A sum of products of two tensors as one product of matrices."""
    def product(equation, *operands):
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
        sides = equation.replace(" ", "").split("->")
        names = sides[0].split(",")
        if len(names) != 2 or len(sides) != 2 or any(
                len(set(each)) != len(each) or "." in each
                for each in (*names, sides[1])):
            return einsum(equation, *operands)
        return two_by_matmul(names, sides[1], operands)
    return product


def two_by_matmul(names, wanted, operands):
    a, b = operands
    sizes = {**dict(zip(names[0], a.shape)), **dict(zip(names[1], b.shape))}
    shared = [each for each in names[0] if each in names[1]]
    stack = [each for each in shared if each in wanted]
    inner = [each for each in shared if each not in wanted]
    rows = [each for each in names[0] if each not in shared]
    columns = [each for each in names[1] if each not in shared]
    if any(each not in wanted for each in rows + columns):
        raise Refused("an einsum that sums one of its tensors alone")

    def arranged(tensor, have, *groups):
        order = [have.index(each) for group in groups for each in group]
        return tensor.permute(order).reshape(
            [sizes[each] for each in groups[0]]
            + [math.prod(sizes[each] for each in group)
               for group in groups[1:]])

    found = torch.matmul(arranged(a, names[0], stack, rows, inner),
                         arranged(b, names[1], stack, inner, columns))
    order = [*stack, *rows, *columns]
    found = found.reshape([sizes[each] for each in order])
    return found.permute([order.index(each) for each in wanted])


def tensor_split_by(tensor_split):
    """Parts at known places are slices."""
    def parts(tensor, indices, dim=0):
        if not isinstance(indices, (list, tuple)):
            return tensor_split(tensor, indices, dim)
        before = (slice(None),) * (dim % tensor.ndim)
        return tuple(tensor[(*before, slice(start, end))] for start, end
                     in zip((0, *indices), (*indices, None)))
    return parts


@contextlib.contextmanager
def written_out():
    """Inside, functions that opset 13 has no operator for are others."""
    functional = torch.nn.functional
    others = {(functional, "scaled_dot_product_attention"): attention,
              (functional, "batch_norm"): batch_norm_by(functional.batch_norm),
              (functional, "rms_norm"): rms_norm,
              (functional, "grid_sample"): grid_sample,
              (functional, "fold"): fold,
              (functional, "adaptive_avg_pool2d"): adaptive_average_by(
                  functional.adaptive_avg_pool2d),
              (torch, "einsum"): einsum_by(torch.einsum),
              (torch, "tensor_split"): tensor_split_by(torch.tensor_split)}
    kept = {place: getattr(*place) for place in others}
    for place, function in others.items():
        setattr(*place, function)
    try:
        yield
    finally:
        for place, function in kept.items():
            setattr(*place, function)
