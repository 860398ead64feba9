//! The worker's side: a process that loads one plugin and serves its tables. Everything here shares its process with the
//! plugin, and is trusted by nobody.

mod instances;
mod lane;
mod services;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::Arc,
    thread,
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};
use serde::de::DeserializeOwned;
use usher_abi::{LOGIN, ModuleRef, RString};

use self::{instances::Instances, lane::Lane};
use super::{
    jail::Jail,
    memory::{Access, DOWN, Shared},
    protocol::{Control, Said, Start, Started},
    wire::Broken,
};
/// Loads a library: its module, or half a line and the difference in layout.
pub(crate) type Load = fn(&Path) -> Result<ModuleRef, (String, Option<String>)>;

/// What all threads of the worker share.
struct Worker {
    module: ModuleRef,
    instances: Instances,
    /// What the host lends.
    lent: Arc<Shared>,
}

/// Runs until the host closes its end of standard input, the control socket.
pub(crate) fn run(load: Load) -> ! {
    match work(io::stdin().as_fd(), load) {
        Ok(()) => leave(0),
        Err(error) => {
            eprintln!("worker: {error}");
            leave(1)
        }
    }
}

/// Ends the process without what the plugin wants to do at its end.
fn leave(code: i32) -> ! {
    // SAFETY: it ends the process and nothing else.
    unsafe { libc::_exit(code) }
}

fn work(control: BorrowedFd<'_>, load: Load) -> io::Result<()> {
    super::jail::close_all_above(2);
    let Some((start, descriptors)) = receive::<Start>(control)? else { return Ok(()) };
    let [lent, socket, memory, side_socket, side_memory] = <[OwnedFd; 5]>::try_from(descriptors)
        .map_err(|_| io::Error::other("five descriptors are expected"))?;
    let lent = Arc::new(Shared::map(lent, DOWN, Access::Read)?);
    let mut first = Lane::new(socket, memory)?;
    lane::on_the_side(Lane::new(side_socket, side_memory)?);
    let jail = Jail::enter(&start.plugin, &start.rights)?;
    let loaded = load(&start.plugin).and_then(|module| {
        let description: Result<RString, _> = module.describe()().into_result();
        let description = description.map_err(|e| (format!("describing itself, it {e}"), None))?;
        Ok((module, description))
    });
    let (module, description) = match loaded {
        Ok((module, description)) => (module, description.into()),
        Err((reason, detail)) => {
            return first.say(Said::Started(Started::Refused { reason, detail })).map_err(unsaid);
        }
    };
    let login = module.get_extension()(LOGIN.into()).is_some();
    let gaps = jail.shut()?;
    first.say(Said::Started(Started::Ready { description, login, gaps })).map_err(unsaid)?;
    let worker = Arc::new(Worker { module, instances: Instances::default(), lent });
    serve(&worker, first)?;
    while let Some((message, descriptors)) = receive::<Control>(control)? {
        match message {
            Control::Cancel(of) => worker.instances.cancel(of),
            Control::Lane => {
                let [socket, memory] = <[OwnedFd; 2]>::try_from(descriptors)
                    .map_err(|_| io::Error::other("two descriptors are expected"))?;
                serve(&worker, Lane::new(socket, memory)?)?;
            }
        }
    }
    Ok(())
}

fn unsaid(broken: Broken) -> io::Error {
    io::Error::other(format!("the host cannot be told: {broken:?}"))
}

/// A thread for a lane, for as long as the host speaks on it.
fn serve(worker: &Arc<Worker>, lane: Lane) -> io::Result<()> {
    let worker = Arc::clone(worker);
    thread::Builder::new().name("usher-lane".to_owned()).spawn(move || lane::serve(&worker, lane)).map(drop)
}

/// The next message of the host with its descriptors; none when it is gone.
fn receive<T: DeserializeOwned>(control: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; 64 << 10];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(5))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut into = [io::IoSliceMut::new(&mut bytes)];
        match recvmsg(control, &mut into, &mut ancillary, RecvFlags::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?,
        }
    };
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::other("a message that is too long"));
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    let descriptors = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => rights.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let descriptors = descriptors.collect();
    let message = postcard::from_bytes(&bytes[..received.bytes]).map_err(io::Error::other)?;
    Ok(Some((message, descriptors)))
}
