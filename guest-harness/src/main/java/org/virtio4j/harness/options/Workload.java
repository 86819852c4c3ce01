// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import java.util.Locale;

/** What the guest is to do once its drivers have found their devices: a function each of the script {@code init}. */
public enum Workload {
    /** Says what it found and reads a little from each device. */
    BOOT("say what the guest finds, and read a little"),
    /** Writes random bytes and compares what it reads. */
    VERIFY("write 64 MiB and read them back, by checksums"),
    /** Makes a file system, fills and empties it, and has it checked. */
    FS("make a file system, fill it, check it"),
    /** Has an endpoint access what is not mapped. */
    FAULT("a stray DMA of an endpoint, and what Linux says to it"),
    /** Resets the machine while the disk is being written. */
    RESET("reset the machine while it writes, and compare"),
    /** Takes devices from their drivers and gives them back. */
    REBIND("unbind and bind the drivers 30 times"),
    /** Resets the IOMMU while an endpoint is at work, which ends the guest's work for good. */
    FLR("reset the IOMMU alone while the disk is read: the guest goes no further"),
    /** Uses a console in both directions, unbinds its driver and resets the machine meanwhile. */
    CONSOLE("send 1 MiB through a console and back, and reset the machine meanwhile"),
    /** Gives a device to a program of the guest. */
    VFIO("give the entropy source to a program, by VFIO"),
    /** Has devices suspended, by VFIO, while the machine is reset. */
    SUSPEND("suspend disk and entropy source, reset the machine, and compare"),
    /** Gives the disk to programs of the guest that have a driver of their own. */
    BLKIO("drive the disk from user space, by VFIO"),
    /** Has a disk plugged and unplugged, again and again, while another one is at work. */
    PLUG("plug and unplug a disk while another one is at work"),
    /** Writes to all disks and compares what it reads. */
    DISKS("write 8 MiB to each disk and read them back"),
    /** Starts another kernel by kexec while disks are at work, and has it watch its memory. */
    KEXEC("start the next kernel by kexec while the disk is read, and compare"),
    /** The same by a crash. */
    CRASH("the same with a crash kernel"),
    /** Lets the user work. */
    SHELL("a shell in the guest");

    private final String about;

    Workload(String about) {
        this.about = about;
    }

    /**
     * Whether the guest resets the machine and comes back.
     *
     * @return whether QEMU must go on after a reset
     */
    public boolean resetsMachine() {
        return this == RESET || this == SUSPEND || this == CONSOLE;
    }

    /**
     * Whether the guest gives devices to its programs.
     *
     * @return whether it needs VFIO
     */
    public boolean givesDevicesAway() {
        return this == VFIO || this == BLKIO || this == SUSPEND;
    }

    /**
     * Whether the guest goes on with another kernel, without a reset of the machine.
     *
     * @return whether it needs that kernel and the program that starts it
     */
    public boolean startsKernel() {
        return this == KEXEC || this == CRASH;
    }

    /**
     * Whether a kind of guest can do it. Some need a driver of the IOMMU, and some need programs that are fetched for
     * one kind alone.
     *
     * @param architecture the guest's
     * @return whether it is worth a try
     */
    public boolean runsOn(Architecture architecture) {
        return switch (this) {
            case FAULT, FLR, SUSPEND, VFIO -> architecture.drivesIommu();
            case BLKIO, KEXEC, CRASH, PLUG -> architecture == Architecture.X86_64;
            default -> true;
        };
    }

    /**
     * How many processors a guest has for it where nobody chooses.
     *
     * @param architecture the guest's
     * @return a count
     */
    public int processors(Architecture architecture) {
        return this == FLR ? 2 : architecture.processors();
    }

    /** What Linux must be told for it, with a blank before it. */
    String kernelOption() {
        return switch (this) {
            // Buffers of programs lie in the rest, and what drivers allocate does not.
            case KEXEC -> " kernelcore=40%";
            case CRASH -> " crashkernel=160M";
            default -> "";
        };
    }

    /**
     * What it is for.
     *
     * @return half a line for the user
     */
    public String about() {
        return about;
    }

    /** The name by which the user and {@code init} call it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
