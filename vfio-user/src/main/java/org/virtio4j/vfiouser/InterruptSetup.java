// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.SignalGuard;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.wire.vfiouser.IrqSet;
import org.virtio4j.wire.vfiouser.PciIrq;

/** What a client says about interrupts: which eventfds to signal, and which interrupts to hold back. */
final class InterruptSetup {

    private static final int DATA = IrqSet.DATA_NONE | IrqSet.DATA_BOOL | IrqSet.DATA_EVENTFD;
    private static final int ACTION = IrqSet.ACTION_MASK | IrqSet.ACTION_UNMASK | IrqSet.ACTION_TRIGGER;

    private final VirtioPciFunction function;
    private final DeviceQueries queries;
    private final VectorSignals vectors;
    private final PinSignal pin;
    private final SignalGuard guard = new SignalGuard();

    InterruptSetup(VirtioPciFunction function, DeviceQueries queries, VectorSignals vectors, PinSignal pin) {
        this.function = function;
        this.queries = queries;
        this.vectors = vectors;
        this.pin = pin;
    }

    int set(RequestMessage request, ReplyMessage reply) {
        if (!isValid(request)) {
            return Errno.EINVAL;
        }
        reply.body(0);
        int flags = request.i32(IrqSet.FLAGS);
        if ((flags & IrqSet.ACTION_TRIGGER) == 0) {
            return mask(request, (flags & IrqSet.ACTION_MASK) != 0);
        }
        if ((flags & IrqSet.DATA_EVENTFD) != 0) {
            return assign(request);
        }
        if (request.i32(IrqSet.COUNT) == 0) {
            return disable(request);
        }
        return trigger(request);
    }

    /** The device was reset: the eventfds stay the client's choice, but nothing is masked, and nothing is pending. */
    void deviceReset() {
        unmaskVectors();
        vectors.withdrawAll();
    }

    /** Drops eventfds, masks and what is pending, because the client has left. */
    void clear() {
        clearVectors();
        pin.assign(null);
    }

    /** A vector that is unmasked here has no eventfd any more, and is withdrawn with the others. */
    private void clearVectors() {
        vectors.clear();
        unmaskVectors();
        vectors.withdrawAll();
    }

    private void unmaskVectors() {
        for (int vector = 0; vector < function.vectorCount(); vector++) {
            function.maskVector(vector, false);
        }
    }

    private boolean isValid(RequestMessage request) {
        if (request.bodySize() < IrqSet.SIZE || request.u32(IrqSet.ARGSZ) < IrqSet.SIZE
                || request.lostDescriptors()) {
            return false;
        }
        int flags = request.i32(IrqSet.FLAGS);
        long count = request.u32(IrqSet.COUNT);
        boolean one = Integer.bitCount(flags & DATA) == 1 && Integer.bitCount(flags & ACTION) == 1
                && (flags & ~(DATA | ACTION)) == 0;
        boolean inside = request.u32(IrqSet.START) + count <= queries.irqCount(request.i32(IrqSet.INDEX));
        long data = (flags & IrqSet.DATA_BOOL) != 0 ? count : 0;
        boolean descriptors = request.descriptorCount() == 0
                || ((flags & IrqSet.DATA_EVENTFD) != 0 && request.descriptorCount() == count);
        return one && inside && request.bodySize() - IrqSet.SIZE == data && descriptors;
    }

    /** Not by an eventfd of the client's. */
    private int mask(RequestMessage request, boolean masked) {
        if ((request.i32(IrqSet.FLAGS) & IrqSet.DATA_EVENTFD) != 0) {
            return Errno.EOPNOTSUPP;
        }
        if (request.i32(IrqSet.COUNT) == 0) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < request.i32(IrqSet.COUNT); i++) {
            if (isMeant(request, i)) {
                maskOne(request.i32(IrqSet.INDEX), request.i32(IrqSet.START) + i, masked);
            }
        }
        return 0;
    }

    private void maskOne(int index, int number, boolean masked) {
        if (index == PciIrq.INTX) {
            pin.mask(masked);
        } else {
            function.maskVector(number, masked);
        }
    }

    /** All or nothing: a descriptor that is no eventfd leaves everything as it was. */
    private int assign(RequestMessage request) {
        if (request.i32(IrqSet.COUNT) == 0) {
            return Errno.EINVAL;
        }
        try {
            for (Descriptor descriptor : request.descriptors()) {
                if (!descriptor.becomesSignal(guard)) {
                    return Errno.EINVAL;
                }
            }
        } catch (IOException refused) {
            return Errno.EINVAL;
        }
        List<Descriptor> eventfds = request.takeDescriptors();
        int start = request.i32(IrqSet.START);
        for (int i = 0; i < request.i32(IrqSet.COUNT); i++) {
            assignOne(request.i32(IrqSet.INDEX), start + i, eventfds.isEmpty() ? null : eventfds.get(i));
        }
        return 0;
    }

    private void assignOne(int index, int number, @Nullable Descriptor eventfd) {
        if (index == PciIrq.INTX) {
            pin.assign(eventfd);
        } else {
            vectors.assign(number, eventfd);
        }
    }

    private int disable(RequestMessage request) {
        int index = request.i32(IrqSet.INDEX);
        boolean all = (request.i32(IrqSet.FLAGS) & IrqSet.DATA_NONE) != 0 && request.i32(IrqSet.START) == 0;
        if (!all || queries.irqCount(index) == 0) {
            return Errno.EINVAL;
        }
        if (index == PciIrq.INTX) {
            pin.assign(null);
        } else {
            clearVectors();
        }
        return 0;
    }

    /** A client may try its own interrupts. */
    private int trigger(RequestMessage request) {
        for (int i = 0; i < request.i32(IrqSet.COUNT); i++) {
            if (!isMeant(request, i)) {
                continue;
            }
            if (request.i32(IrqSet.INDEX) == PciIrq.INTX) {
                pin.trigger();
            } else {
                vectors.raise(request.i32(IrqSet.START) + i);
            }
        }
        return 0;
    }

    private static boolean isMeant(RequestMessage request, int place) {
        return (request.i32(IrqSet.FLAGS) & IrqSet.DATA_BOOL) == 0 || request.u8(IrqSet.SIZE + place) != 0;
    }
}
