//! The host's side of a worker: its process, the lanes to it, and its end, which may come before its time.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use arrow_buffer::MutableBuffer;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg,
    socketpair,
};
use usher_abi::{Error, ErrorClass, HostTable};

use super::{
    Rights,
    lender::Lender,
    memory::{Shared, UP},
    protocol::{Answer, Ask, Call, Control, FromWorker, Outcome, Said, Start, Started, ToWorker},
    relay::Cancelled,
    serving::Serving,
    wire::{Broken, Wire},
    words::{Words, describe},
};
use crate::services::private::lock;

/// How often a call that waits looks whether it should go on waiting.
const LOOK: Duration = Duration::from_millis(100);

/// How long a worker may take to read what it was sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a plugin may take to notice that it was cancelled.
const GRACE: Duration = Duration::from_millis(600);

/// The longest sleep of a plugin's own thread at a time.
const A_DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The process that a plugin runs in.
#[derive(Debug)]
pub(super) struct Worker {
    deadline: Duration,
    child: Mutex<Child>,
    control: OwnedFd,
    lanes: Mutex<Vec<Lane>>,
    pub(super) lender: Lender,
    serving: OnceLock<Serving>,
    /// Why it is dead, once it is.
    fate: Mutex<Option<Error>>,
    words: Arc<Words>,
    /// Listens to its standard error.
    listener: Mutex<Option<JoinHandle<()>>>,
    /// Serves the plugin's own threads.
    server: Mutex<Option<JoinHandle<()>>>,
    /// Instances, streams and logins that are open.
    open: AtomicUsize,
    /// Its process has ended, or is to.
    ended: AtomicBool,
    /// What of the jail this system cannot do, in words.
    pub(super) gaps: Vec<String>,
    /// Whether its plugin can log in to its vendor.
    pub(super) login: bool,
}

/// A conversation: one call at a time.
#[derive(Debug)]
struct Lane {
    wire: Wire,
    /// What the worker hands over on it.
    memory: Shared,
}

/// Why a worker could not be started: half a line, and the layout difference.
pub(super) type Refused = (String, Option<String>);

impl Worker {
    /// Starts a process, has it load the plugin, and answers what that says of itself.
    pub(super) fn start(plugin: &std::path::Path, rights: &Rights) -> Result<(Self, String), Refused> {
        let cannot = |e: io::Error| (format!("no process can be started for it: {e}"), None);
        let (here, there) = control_pair().map_err(cannot)?;
        let mut command = Command::new(super::executable().map_err(cannot)?);
        // Ctrl-C is the host's, which gives its workers time to stop.
        command.process_group(0);
        command.arg("worker").env_clear().stdin(there).stdout(Stdio::null()).stderr(Stdio::piped());
        let (mut worker, mut first) = Self::begin(command, here, plugin, rights).map_err(cannot)?;
        let started = Instant::now();
        let said = first.wire.receive::<FromWorker>(|| started.elapsed() < worker.deadline);
        match said.map(|said| said.said) {
            Ok(Said::Started(Started::Ready { description, login, gaps })) => {
                lock(&worker.lanes).push(first);
                worker.login = login;
                worker.gaps = gaps;
                Ok((worker, description))
            }
            Ok(Said::Started(Started::Refused { reason, detail })) => Err((reason, detail)),
            Ok(_) => Err((worker.end(Broken::Garbled("it did not begin with its start".to_owned())), None)),
            Err(broken) => Err((worker.end(broken), None)),
        }
    }

    /// Starts the process, listens to what it says and hands it what it needs.
    fn begin(
        mut command: Command,
        control: OwnedFd,
        plugin: &std::path::Path,
        rights: &Rights,
    ) -> io::Result<(Self, Lane)> {
        let (lender, lent) = Lender::new()?;
        let (first, first_ends) = Lane::new()?;
        let (side, side_ends) = Lane::new()?;
        let start = Start { plugin: std::path::absolute(plugin)?, rights: rights.clone() };
        let mut descriptors = vec![lent.as_fd()];
        descriptors.extend(first_ends.iter().chain(&side_ends).map(AsFd::as_fd));
        let mut child = command.spawn()?;
        let (words, errors) = (Arc::new(Words::default()), child.stderr.take());
        // From here on whatever fails ends the process.
        let worker = Self {
            deadline: rights.deadline,
            child: Mutex::new(child),
            control,
            lanes: Mutex::default(),
            lender,
            serving: OnceLock::new(),
            fate: Mutex::default(),
            words: words.clone(),
            listener: Mutex::default(),
            server: Mutex::default(),
            open: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            gaps: Vec::new(),
            login: false,
        };
        if let Some(errors) = errors {
            let listener = thread::Builder::new().name("usher-stderr".to_owned());
            *lock(&worker.listener) = Some(listener.spawn(move || words.listen(errors))?);
        }
        send(&worker.control, &start, &descriptors)?;
        // The plugin's own threads ask on a lane of their own; it is listened to once there is an instance.
        lock(&worker.lanes).push(side);
        Ok((worker, first))
    }

    /// Services for the one instance of this worker, from now on, also on a thread for those of the plugin's own.
    pub(super) fn serve(self: &Arc<Self>, host: HostTable) {
        let serving = Serving::new(host);
        let _ = self.serving.set(serving);
        self.words.log_by(serving);
        let Some(side) = ({
            let mut lanes = lock(&self.lanes);
            (!lanes.is_empty()).then(|| lanes.remove(0))
        }) else {
            return;
        };
        // Weak: the thread must not keep the worker; it ends with the process, whose end of the lane closes.
        let worker = Arc::downgrade(self);
        let thread = thread::Builder::new().name("usher-worker".to_owned()).spawn(move || {
            let mut side = side;
            loop {
                let message = side.wire.receive::<FromWorker>(|| true);
                let Some(worker) = worker.upgrade() else { return };
                let said = message.and_then(|FromWorker { released, said }| {
                    worker.lender.take_back(&released);
                    let Said::Ask(ask) = said else {
                        return Err(Broken::Garbled("a question is expected".to_owned()));
                    };
                    let answer = match ask {
                        Ask::Sleep(ms) => worker.sleep(ms),
                        ask => worker.answer(&side, ask),
                    };
                    side.wire.answer(answer)
                });
                match said {
                    Ok(()) => {}
                    // The process has ended, or is about to: whoever waits for it finds that out.
                    Err(Broken::Closed) => return,
                    Err(broken) => {
                        worker.fail(broken, "a thread of its own", &String::new);
                        return;
                    }
                }
            }
        });
        *lock(&self.server) = thread.ok();
    }

    /// Calls a function of the plugin, and answers the bytes that it handed over with a batch, too. `place` says what it is
    /// working on, for the case that it does not come back.
    pub(super) fn call(
        &self,
        call: Call,
        cancelled: &Cancelled,
        place: &dyn Fn() -> String,
    ) -> Result<(Outcome, Option<MutableBuffer>), Error> {
        if let Some(fate) = lock(&self.fate).clone() {
            return Err(fate);
        }
        let name = call.name();
        let mut lane = self.lane().map_err(|broken| self.fail(broken, name, place))?;
        let answer = self.converse(&mut lane, call, cancelled);
        let answer = answer.map_err(|broken| self.fail(broken, name, place))?;
        lock(&self.lanes).push(lane);
        Ok(answer)
    }

    fn converse(
        &self,
        lane: &mut Lane,
        call: Call,
        cancelled: &Cancelled,
    ) -> Result<(Outcome, Option<MutableBuffer>), Broken> {
        lane.wire.send(&ToWorker::Call(call))?;
        let mut since: Option<Instant> = None;
        loop {
            // The plugin's own time: what its questions take is the host's.
            let began = Instant::now();
            let message = lane.wire.receive::<FromWorker>(|| {
                if self.run_is_cancelled() || cancelled.is() {
                    return since.get_or_insert_with(Instant::now).elapsed() < GRACE;
                }
                began.elapsed() < self.deadline
            });
            let message = message.map_err(|broken| match broken {
                Broken::GivenUp if since.is_some() => Broken::Cancelled,
                broken => broken,
            })?;
            self.lender.take_back(&message.released);
            match message.said {
                Said::Ask(ask) => {
                    // Whoever goes on asking does not stop, either.
                    let stopping = self.run_is_cancelled() || cancelled.is();
                    if stopping && since.get_or_insert_with(Instant::now).elapsed() >= GRACE {
                        return Err(Broken::Cancelled);
                    }
                    let answer = self.answer(lane, ask);
                    lane.wire.answer(answer)?;
                }
                Said::Outcome(outcome) => {
                    let handed = outcome.handed();
                    let bytes = (handed > 0).then(|| lane.copy(handed)).transpose()?;
                    return Ok((*outcome, bytes));
                }
                Said::Started(_) => return Err(Broken::Garbled("it started twice".to_owned())),
            }
        }
    }

    fn answer(&self, lane: &Lane, ask: Ask) -> Result<Answer, Error> {
        self.run_is_cancelled();
        let serving = self.serving.get().ok_or_else(no_instance)?;
        let handed = ask.handed();
        let handed = lane.copy(handed).map_err(|_| {
            Error::bug(
                "worker.memory",
                format!("it says that it handed over {handed} bytes, which it cannot have"),
            )
        })?;
        serving.answer(ask, handed.as_slice(), &self.lender)
    }

    /// A thread of the plugin's own sleeps: for as long as somebody waits for the plugin, and no longer than a day.
    fn sleep(&self, ms: u64) -> Result<Answer, Error> {
        let serving = self.serving.get().ok_or_else(no_instance)?;
        let step = LOOK.as_millis() as u64;
        let mut left = ms.min(A_DAY_MS);
        while left > 0 {
            if self.ended.load(Ordering::Acquire) {
                return Err(Error::cancelled());
            }
            let now = left.min(step);
            serving.answer(Ask::Sleep(now), &[], &self.lender)?;
            left -= now;
        }
        Ok(Answer::Nothing)
    }

    /// A lane that nobody uses, or a new one.
    fn lane(&self) -> Result<Lane, Broken> {
        if let Some(lane) = lock(&self.lanes).pop() {
            return Ok(lane);
        }
        let unable = |error: io::Error| Broken::Unable(error.to_string());
        let (lane, ends) = Lane::new().map_err(unable)?;
        let sent = send(&self.control, &Control::Lane, &ends.each_ref().map(AsFd::as_fd));
        sent.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Broken::Closed,
            io::ErrorKind::WouldBlock => Broken::Garbled("it does not take what it is sent".to_owned()),
            _ => unable(error),
        })?;
        Ok(lane)
    }

    /// Asks an instance to stop.
    pub(super) fn cancel(&self, of: u32) {
        let _ = send(&self.control, &Control::Cancel(of), &[]);
    }

    /// Whether the run was cancelled; the worker is told, too.
    fn run_is_cancelled(&self) -> bool {
        let cancelled = self.serving.get().is_some_and(Serving::is_cancelled);
        if cancelled {
            self.lender.say_cancelled();
        }
        cancelled
    }

    /// The worker is of no use any more: its process is ended, and why is told to this call and to all that follow.
    fn fail(&self, broken: Broken, call: &str, place: &dyn Fn() -> String) -> Error {
        let mut fate = lock(&self.fate);
        if let Some(fate) = &*fate {
            return fate.clone();
        }
        let (class, code) = match &broken {
            Broken::Cancelled => (ErrorClass::CANCELLED, "cancelled"),
            Broken::Closed if self.run_is_cancelled() => (ErrorClass::CANCELLED, "cancelled"),
            Broken::GivenUp => (ErrorClass::TIMEOUT, "worker.deadline"),
            Broken::Closed => (ErrorClass::BUG, "worker.died"),
            Broken::Garbled(_) => (ErrorClass::BUG, "worker.garbled"),
            Broken::Unable(_) => (ErrorClass::TRANSIENT, "worker.unreachable"),
            Broken::TooLong(_) => (ErrorClass::BUG, "worker.memory"),
        };
        let place = place();
        let place = if place.is_empty() { place } else { format!(", {place}") };
        let error = Error::new(class, code, format!("in `{call}`{place}: {}", self.end(broken)));
        fate.insert(error).clone()
    }

    /// Ends the process and says what became of it.
    fn end(&self, broken: Broken) -> String {
        self.ended.store(true, Ordering::Release);
        let mut child = lock(&self.child);
        if matches!(broken, Broken::Closed) {
            // Whoever closes a lane is about to end, or wants the host to think so.
            let patience = Instant::now() + GRACE;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < patience {
                thread::sleep(Duration::from_millis(2));
            }
        }
        let by_itself = matches!(broken, Broken::Closed) && !matches!(child.try_wait(), Ok(None));
        if !by_itself {
            let _ = child.kill();
        }
        let status = child.wait();
        drop(child);
        match broken {
            Broken::Closed if by_itself => {
                self.hear_out();
                match status {
                    Ok(status) => describe(status, &self.words.last()),
                    Err(e) => format!("its process ended ({e})"),
                }
            }
            Broken::Closed => "its process closed the connection, and was ended".to_owned(),
            Broken::Garbled(what) => {
                format!("its process sent what is no answer ({what}), and was ended")
            }
            Broken::Unable(why) => format!(
                "this machine does not let the host speak to its process ({why}), which was ended; run again"
            ),
            Broken::TooLong(length) => format!(
                "what it is to be told has {length} bytes, more than a message may have; its process was ended"
            ),
            Broken::Cancelled => "it did not stop when it was cancelled; its process was ended".to_owned(),
            Broken::GivenUp => format!(
                "it did not return within {} s of its own time; its process was ended (`jail.deadline` allows more)",
                self.deadline.as_secs_f64()
            ),
        }
    }

    /// Waits until everything that the process said is read; it has ended, so that is soon.
    fn hear_out(&self) {
        let patience = Instant::now() + GRACE;
        let is_listening = || lock(&self.listener).as_ref().is_some_and(|thread| !thread.is_finished());
        while is_listening() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// An instance, stream or login more is open.
    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    /// One less; with the last the process ends.
    pub(super) fn closed(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shut();
        }
    }

    /// Ends the process: there is nothing that it could still want to do. When this returns nobody uses the services that it
    /// was given.
    pub(super) fn shut(&self) {
        self.ended.store(true, Ordering::Release);
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        // Both use the services: the one serves the plugin's own threads, the other logs what the process has printed. It has
        // ended, so what they read ends, too.
        for thread in [&self.server, &self.listener] {
            let thread = lock(thread).take();
            if let Some(thread) = thread
                && thread.thread().id() != thread::current().id()
            {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Lane {
    /// A lane, and what the worker gets of it: its end of the socket, and the memory.
    fn new() -> io::Result<(Self, [OwnedFd; 2])> {
        let (here, there) = UnixStream::pair()?;
        here.set_read_timeout(Some(LOOK))?;
        // Whoever does not take an answer is not waited for.
        here.set_write_timeout(Some(PATIENCE))?;
        let (memory, file) = Shared::handed_over(UP)?;
        Ok((Self { wire: Wire::new(here), memory }, [there.into(), file]))
    }

    /// What the worker put there, copied: from here on it cannot change.
    fn copy(&self, len: u64) -> Result<MutableBuffer, Broken> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > self.memory.len() {
            return Err(Broken::Garbled(format!("it says that it handed over {len} bytes")));
        }
        let mut bytes = MutableBuffer::from_len_zeroed(0);
        bytes.reserve(len);
        // SAFETY: there is room for so many, and all of them are written just below.
        unsafe { bytes.set_len(len) };
        self.memory.copy(0, bytes.as_slice_mut());
        Ok(bytes)
    }
}

fn no_instance() -> Error {
    Error::bug("worker.services", "there is no instance yet that services could be for")
}

fn control_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let kind = if cfg!(target_os = "linux") { SocketType::SEQPACKET } else { SocketType::DGRAM };
    Ok(socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?)
}

/// A message with descriptors.
fn send(
    control: &OwnedFd,
    message: &impl serde::Serialize,
    descriptors: &[std::os::fd::BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(5))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(control, &[io::IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}
