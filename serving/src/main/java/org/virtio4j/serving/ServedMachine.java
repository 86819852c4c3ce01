// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.EndpointId;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;
import org.virtio4j.pci.PciOptions;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;
import org.virtio4j.serving.watch.DeviceNotices;
import org.virtio4j.serving.watch.DiskWatch;
import org.virtio4j.serving.watch.DoorbellLatency;
import org.virtio4j.serving.watch.FunctionWatch;
import org.virtio4j.serving.watch.IommuNotices;
import org.virtio4j.serving.watch.Notices;
import org.virtio4j.vfiouser.VfioUserOptions;
import org.virtio4j.vfiouser.VfioUserSocket;

/**
 * The devices of one guest, each at a socket of its own in the machine's folder, from {@link #serve} to {@link #close}.
 * Clients may come, go and come again meanwhile.
 */
public final class ServedMachine implements AutoCloseable {

    private static final String IOMMU = "iommu";
    private static final Duration STALL_LIMIT = Duration.ofMillis(100);
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private final MachinePlan plan;
    private final Topology topology;
    private final TopologyFile topologyFile;
    private final DoorbellLatency latency = new DoorbellLatency(System::nanoTime);
    private final Notices notices = new Notices(System::nanoTime);
    private final IommuNotices iommuNotices = new IommuNotices(notices, IOMMU);
    private final VirtioIommu iommu;

    /** The IOMMU first; those that came into being, if not all could. */
    private final List<ServedFunction> functions = new ArrayList<>();
    private final List<Runnable> watches = new ArrayList<>();

    /** By the name of the device. */
    private final Map<String, PollingThread> polling = new LinkedHashMap<>();
    private boolean folderMade;

    private ServedMachine(MachinePlan plan, @Nullable IommuFollower follower) {
        this.plan = plan;
        this.topology = PortPlaces.topology(plan);
        this.topologyFile = TopologyFile.of(plan, topology);
        Map<Integer, ReservedRegions> endpoints = new TreeMap<>();
        for (DevicePlan device : plan.devices()) {
            if (device.translated()) {
                endpoints.put(endpoint(device.address()).orElseThrow(), device.reserved());
            }
        }
        VirtioIommuBuilder builder = plan.iommu().builder();
        endpoints.forEach(builder::endpoint);
        builder.listener(iommuNotices).stallLimit(STALL_LIMIT);
        if (plan.iommu().polling().isEmpty()) {
            builder.listener(latency);
        }
        if (follower == null) {
            this.iommu = builder.build();
        } else {
            this.iommu = builder.listener(follower.listener()).build();
            follower.beginning().begins(iommu, endpoints);
        }
    }

    /**
     * Begins to serve.
     *
     * @param plan what the machine is to have
     * @return the machine, whose sockets are there
     * @throws IOException if a disk, a socket, or the file with table or tree cannot be opened or made; nothing is left
     *     behind then
     * @throws IllegalArgumentException if the parts of the plan do not go together
     * @throws UnsupportedOperationException as {@link VfioUserSocket#at(Path, VfioUserOptions)}
     */
    public static ServedMachine serve(MachinePlan plan) throws IOException {
        return start(new ServedMachine(plan, null));
    }

    /**
     * Begins to serve a machine with a follower of its IOMMU.
     *
     * @param plan what the machine is to have
     * @param follower learns of its IOMMU before the sockets are there; of one machine alone
     * @return the machine, whose sockets are there
     * @throws IOException as {@link #serve(MachinePlan)}
     * @throws IllegalArgumentException as {@link #serve(MachinePlan)}
     * @throws UnsupportedOperationException as {@link #serve(MachinePlan)}
     */
    public static ServedMachine serve(MachinePlan plan, IommuFollower follower) throws IOException {
        return start(new ServedMachine(plan, follower));
    }

    private static ServedMachine start(ServedMachine machine) throws IOException {
        try {
            machine.start();
            return machine;
        } catch (IOException | RuntimeException | OutOfMemoryError refused) {
            machine.close();
            throw refused;
        }
    }

    /**
     * What the user calls it.
     *
     * @return the name in the plan
     */
    public String name() {
        return plan.name();
    }

    /**
     * What QEMU must be told to find the sockets, and the table or tree that says who is behind the IOMMU. Board,
     * processors and RAM are not among it.
     *
     * @param arguments are added to
     */
    public void addTo(QemuArguments arguments) {
        topologyFile.addTo(arguments);
        addSocketsTo(arguments);
    }

    /**
     * What QEMU must be told to find the sockets alone, for a guest that is to hear of no IOMMU.
     *
     * @param arguments are added to
     */
    public void addSocketsTo(QemuArguments arguments) {
        plan.devices().forEach(device -> device.port().ifPresent(
                port -> arguments.rootPort(port, device.address().bus())));
        functions.stream().filter(function -> function.address().bus() == 0)
                .forEach(function -> arguments.served(function.address(), function.socket().path()));
    }

    /**
     * All that QEMU must be told; board, processors and RAM included.
     *
     * @return arguments
     */
    public QemuArguments qemuArguments() {
        BoardPlan board = plan.board();
        QemuArguments arguments = new QemuArguments().machine(board.board().machine()).processors(board);
        MemoryPlan memory = plan.memory();
        if (memory.file().isPresent()) {
            arguments.memory(memory.mebibytes(), memory.file().get());
        } else {
            arguments.memory(memory.mebibytes());
        }
        addTo(arguments);
        return arguments;
    }

    /**
     * How QEMU is told, while it runs, to plug each device that is not there from the start, and to unplug it.
     *
     * @return a line each, as QMP takes it
     */
    public List<String> plugLines() {
        return PortPlaces.lines(plan, functions);
    }

    /**
     * Its IOMMU, to look at.
     *
     * @return the same object each time
     */
    public VirtioIommu iommu() {
        return iommu;
    }

    /**
     * The DMA space of a function, to do more DMA than its device does.
     *
     * @param address where it lies
     * @return a space whose handles must be closed before this
     * @throws IllegalArgumentException if nothing lies there
     */
    public DmaSpace dma(PciAddress address) {
        return functions.stream().filter(function -> function.address().equals(address)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("address=" + address + ": nothing lies there")).dma();
    }

    /**
     * How many functions there are.
     *
     * @return a count, the IOMMU included
     */
    public int functionCount() {
        return functions.size();
    }

    /**
     * How many functions are in use by a client just now: one that has said which protocol it speaks.
     *
     * @return 0 to {@link #functionCount}
     */
    public int connected() {
        return (int) functions.stream().filter(function -> function.socket().greeted()).count();
    }

    /**
     * The first exception that came out of a device. There should be none.
     *
     * @return the exception and where, on one line
     */
    public Optional<String> failure() {
        return functions.stream()
                .flatMap(function -> function.socket().failure().stream()
                        .map(failure -> function.socket().path() + ": " + failure))
                .findFirst();
    }

    /**
     * What the user should know before a guest comes: disks that are not locked against other processes.
     *
     * @return a line each
     */
    public List<String> startNotices() {
        return MachineReport.unlockedDisks(functions);
    }

    /**
     * Which devices are polled, and how the threads idle that do it.
     *
     * @return a line each
     */
    public List<String> polledDevices() {
        return MachineReport.polledDevices(plan, IOMMU);
    }

    /**
     * Why devices stand still, and what else the user should be told at once. One thread asks for it several times a
     * second. Events that a guest causes over and over again are joined, and their lines come less and less often.
     *
     * @return a line each, since the last call
     */
    public List<String> notices() {
        look();
        return notices.due();
    }

    /**
     * All lines that {@link #notices} has not returned yet.
     *
     * @return a line each
     */
    public List<String> lastNotices() {
        look();
        return notices.rest();
    }

    private void look() {
        watches.forEach(Runnable::run);
        iommuNotices.look(iommu.counters());
    }

    /**
     * What the devices have seen.
     *
     * @return a line each
     */
    public List<String> report() {
        List<String> lines = new ArrayList<>(MachineReport.of(iommu));
        lines.addAll(latency.report());
        lines.addAll(MachineReport.ofDevices(functions));
        lines.addAll(MachineReport.of(polling));
        return lines;
    }

    /**
     * Ends serving: clients are cut off, sockets, and table or tree, deleted.
     *
     * @throws IOException if something could not be deleted or closed; all else is done nevertheless
     */
    @Override
    public void close() throws IOException {
        Closing closing = new Closing();
        polling.values().forEach(PollingThread::end);
        if (!functions.isEmpty()) {
            // The devices that do DMA before the IOMMU that limits it. Each may have to wait for a file that hangs.
            closing.allAtOnce(functions.subList(1, functions.size()));
            closing.one(functions.getFirst());
        }
        functions.clear();
        polling.values().forEach(PollingThread::await);
        polling.clear();
        closing.one(topologyFile::delete);
        if (folderMade) {
            closing.one(this::deleteFolder);
        }
        closing.finish();
    }

    private void deleteFolder() throws IOException {
        try {
            Files.deleteIfExists(plan.folder());
        } catch (DirectoryNotEmptyException used) {
            throw new IOException(plan.folder() + ": not deleted, because something else is in it", used);
        }
    }

    private void start() throws IOException {
        if (!Files.exists(plan.folder(), LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(plan.folder(), PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            folderMade = true;
        } else if (!Files.isDirectory(plan.folder())) {
            throw new IOException(plan.folder() + ": expected a folder, found something else");
        }
        add(plan.iommu().address(), IOMMU, iommu, PciOptions.DEFAULT);
        for (DevicePlan device : plan.devices()) {
            add(device.address(), device.name(), device.maker().make(), PortPlaces.options(device));
        }
        requireOneFunctionAtEachAddress();
        // Not before: until this process has the sockets, the file may belong to another one that serves there.
        topologyFile.write();
        functions.forEach(function -> function.socket().start(function.function()));
        plan.iommu().polling().ifPresent(idling -> poll(functions.getFirst(), idling));
        for (int i = 0; i < plan.devices().size(); i++) {
            ServedFunction function = functions.get(i + 1);
            plan.devices().get(i).polling().ifPresent(idling -> poll(function, idling));
        }
    }

    private void requireOneFunctionAtEachAddress() {
        Set<PciAddress> taken = new HashSet<>();
        for (ServedFunction function : functions) {
            if (!taken.add(function.address())) {
                throw new IllegalArgumentException("location=" + function.address() + ": something else lies there");
            }
        }
    }

    private void poll(ServedFunction function, Idling idling) {
        String name = function.name();
        polling.put(name, PollingThread.start(name, function.function()::poll, function.socket()::connected,
                idling, new DeviceNotices(notices, name)));
    }

    private Optional<Integer> endpoint(PciAddress address) {
        return topology.endpoint(address).map(EndpointId::id);
    }

    private void add(PciAddress address, String name, VirtioDevice device, PciOptions how) throws IOException {
        DeviceNotices told = new DeviceNotices(notices, name);
        VfioUserSocket socket;
        try {
            socket = VfioUserSocket.at(plan.folder().resolve(name + ServedFunction.SOCKET), options(device, told));
        } catch (IOException | RuntimeException | OutOfMemoryError refused) {
            ServedFunction.close(device);
            throw refused;
        }
        DmaSpace dma = endpoint(address)
                .map(id -> DmaSpace.of(socket.memory(), iommu.translator(id), address.bdf()))
                .orElseGet(() -> DmaSpace.identity(socket.memory()));
        ServedFunction function = served(address, device, socket, dma, how, told);
        functions.add(function);
        watches.add(new FunctionWatch(socket, told, System::nanoTime)::look);
        if (device instanceof VirtioBlock disk) {
            watches.add(DiskWatch.of(disk.counters(), told)::look);
        }
    }

    private static ServedFunction served(PciAddress address, VirtioDevice device, VfioUserSocket socket, DmaSpace dma,
            PciOptions how, DeviceNotices told) throws IOException {
        try {
            return ServedFunction.of(address, device, socket, dma, how, told);
        } catch (RuntimeException | OutOfMemoryError refused) {
            socket.close();
            ServedFunction.close(device);
            throw refused;
        }
    }

    private VfioUserOptions options(VirtioDevice device, DeviceNotices told) {
        MemoryPlan memory = plan.memory();
        VfioUserOptions options = memory.file().map(VfioUserOptions.DEFAULT::withMemoryFile)
                .orElse(VfioUserOptions.DEFAULT).withSealedMemory(memory.sealed()).withStallListener(told::stalled)
                .withRefusalListener(told::commandRefused);
        boolean measured = device instanceof VirtioIommu && plan.iommu().polling().isEmpty();
        return measured ? options.withMessageListener(latency::received) : options;
    }
}
