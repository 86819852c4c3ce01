// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import org.virtio4j.device.ResetKind;
import org.virtio4j.os.Errno;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.wire.vfiouser.Command;

/** Carries out the commands of one socket's clients: says for each command which part does it. */
final class CommandDispatcher {

    private final VirtioPciFunction function;
    private final DmaWindows windows;
    private final SocketCounters counters;
    private final DeviceQueries queries;
    private final RegionRegisters registers;
    private final InterruptSetup interrupts;

    CommandDispatcher(VirtioPciFunction function, DmaWindows windows, VectorSignals vectors, PinSignal pin,
            SocketCounters counters) {
        this.function = function;
        this.windows = windows;
        this.counters = counters;
        this.queries = new DeviceQueries(function);
        this.registers = new RegionRegisters(function, queries);
        this.interrupts = new InterruptSetup(function, queries, vectors, pin);
    }

    SocketCounters counters() {
        return counters;
    }

    /** Returns 0 when the reply holds the answer, else an error number. */
    int carryOut(RequestMessage request, ReplyMessage reply) {
        return switch (request.command()) {
            case Command.DMA_MAP -> map(request, reply);
            case Command.DMA_UNMAP -> windows.unmap(request, reply);
            default -> use(request, reply);
        };
    }

    /**
     * Each window may be the one that a ring was missing. The exchange goes on: only a command about something else
     * than memory marks its end.
     */
    private int map(RequestMessage request, ReplyMessage reply) {
        int errno = windows.map(request, reply);
        if (windows.exchanging()) {
            function.memoryChanged();
        }
        return errno;
    }

    /** All commands that are not about memory. */
    private int use(RequestMessage request, ReplyMessage reply) {
        if (windows.exchanging()) {
            windows.endExchange();
            function.memoryChanged();
        }
        return switch (request.command()) {
            case Command.DEVICE_GET_INFO -> queries.device(request, reply);
            case Command.DEVICE_GET_REGION_INFO -> queries.region(request, reply);
            case Command.DEVICE_GET_IRQ_INFO -> queries.irq(request, reply);
            case Command.DEVICE_SET_IRQS -> interrupts.set(request, reply);
            case Command.REGION_READ -> registers.read(request, reply);
            case Command.REGION_WRITE -> registers.write(request, reply);
            case Command.DEVICE_RESET -> reset(request, reply);
            // Known to the protocol, but not supported: migration, its log, and what is for speed alone.
            case Command.DEVICE_GET_REGION_IO_FDS, Command.DIRTY_PAGES, Command.REGION_WRITE_MULTI,
                    Command.DEVICE_FEATURE, Command.MIG_DATA_READ, Command.MIG_DATA_WRITE -> Errno.EOPNOTSUPP;
            default -> Errno.EINVAL;
        };
    }

    /**
     * Takes back what a client was given. The device is stopped first, because its DMA must not meet memory that is
     * being removed; then everything it could have reached is removed.
     */
    void endClient() {
        try {
            boolean ignored = function.reset(ResetKind.SYSTEM);
        } catch (RuntimeException | Error mistake) {
            counters.failed(mistake);
        }
        interrupts.clear();
        windows.clear();
        windows.endExchange();
    }

    private int reset(RequestMessage request, ReplyMessage reply) {
        if (request.bodySize() != 0) {
            return Errno.EINVAL;
        }
        reply.body(0);
        boolean ignored = function.reset(ResetKind.SYSTEM);
        interrupts.deviceReset();
        return 0;
    }
}
