// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import java.util.List;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.vmm.RegisterHandler;

/**
 * A device behind its transport, seen from both sides. Everything a guest does ends as accesses to registers: a driver
 * that behaves uses {@link #driver}, one that does not writes to a {@link Register}, or anywhere through a {@link
 * Door}.
 */
public abstract class Port {

    /** A used buffer notification, in what {@link #takeInterrupts} returns. */
    public static final int USED = 1;
    /** A configuration change notification. */
    public static final int CONFIG = 2;

    private final Interrupts interrupts;

    Port(Interrupts interrupts) {
        this.interrupts = interrupts;
    }

    /**
     * One way into a device's registers.
     *
     * @param name    for reports
     * @param handler the way
     * @param places  offsets where something can be found
     * @param reach   where anything but 0 can be read
     */
    public record Door(String name, RegisterHandler handler, List<Long> places, Reach reach) { }

    /** Which accesses can be answered. */
    public interface Reach {

        /** Everywhere. */
        Reach ANYTHING = (offset, width) -> true;

        /** Whether an access of so many bytes may read anything but 0. */
        boolean answers(long offset, int width);
    }

    // The guest

    /** What a guest's driver talks to. After any {@link #reset} it is as good as before. */
    public abstract DriverTransport driver();

    /** Whether a register reads as it was written. */
    public abstract boolean shows(Register register);

    /** Whether a register is wide enough for a value. */
    public abstract boolean fits(Register register, long value);

    /** Reads a register in its own width. */
    public abstract long read(Register register);

    /** Writes a register in its own width. */
    public abstract void write(Register register, long value);

    /** Kicks any queue, one that does not exist too. */
    public abstract void notifyQueue(long queue);

    /** Accesses the device configuration at any offset, in one access of any width. */
    public abstract long readConfig(long offset, int width);

    /** Accesses the device configuration at any offset, in one access of any width. */
    public abstract void writeConfig(long offset, int width, long value);

    /**
     * Reads and clears which events the guest was interrupted for, as the transport tells them: a sum of {@link #USED}
     * and {@link #CONFIG}.
     */
    public int takeInterrupts() {
        return driver().takeInterrupts();
    }

    /** What reaches the guest. */
    public Interrupts interrupts() {
        return interrupts;
    }

    /** Every way in, for guests that look everywhere. */
    public abstract List<Door> doors();

    /** Everything that no guest can change, read through registers once the device is found. */
    public abstract List<Long> identity();

    /**
     * Finds the device again when its guest may have moved it anywhere, and has it interrupt as this transport does;
     * apart from that it keeps its state.
     *
     * @return whether it is there
     */
    public abstract boolean find();

    // The embedder

    /** What the machine does to the device from outside; its guest finds the device again if it has to. */
    public abstract void reset(ResetKind kind);

    /** Says that memory was exchanged, as an embedder does. */
    public abstract void memoryChanged();

    /** What a thread of the embedder's calls that polls; says how much was given back. */
    public abstract int poll();

    /** Why the device needs a reset. */
    public abstract String needsResetReason();

    // What every transport does the same way

    /** Writes a register of a queue. */
    public void write(long queue, Register register, long value) {
        write(Register.QUEUE_SELECT, queue);
        write(register, value);
    }

    /** Reads a register of a queue. */
    public long read(long queue, Register register) {
        write(Register.QUEUE_SELECT, queue);
        return read(register);
    }

    /** Says where an area of a queue lies. */
    public void writeAddress(long queue, QueueArea area, long address) {
        write(queue, Register.low(area), address & 0xffff_ffffL);
        write(queue, Register.high(area), address >>> Integer.SIZE);
    }

    /** Where an area of a queue lies, on a transport that shows it. */
    public long readAddress(long queue, QueueArea area) {
        return read(queue, Register.high(area)) << Integer.SIZE | read(queue, Register.low(area));
    }

    /** Enables a queue, which any transport does by writing 1. */
    public void enableQueue(long queue) {
        write(queue, Register.QUEUE_ENABLE, 1);
    }
}
