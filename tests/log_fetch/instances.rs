//! Whose log it is.

use super::*;

#[tokio::test]
async fn the_latest_instance_is_read_with_previous_false() {
    let server = Server::default().current([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &own());
    assert_eq!((answer.reads, server.asked()), (1, vec![(false, 2000)]));
}

#[tokio::test]
async fn an_instance_that_has_a_successor_is_read_with_previous_true() {
    let server = Server::default().previous([Reply::Log(own())]);
    let answer = server.fetch(&Termination { successor_running: true, ..termination(SeenIn::LastState) }).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(true, 2000)]);
}

#[tokio::test]
async fn the_log_of_the_instance_before_is_not_accepted_and_the_other_one_is_read() {
    let server = Server::default().current([Reply::Log(predecessor())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(false, 2000), (true, 2000)]);
}

#[tokio::test]
async fn only_a_first_instance_may_have_written_well_before_its_start() {
    let early = log(&[(14.6, "listening on :8080"), (20.1, "fatal error: concurrent map writes")]);
    let cases = [
        (0, &early, EvidenceState::Verified),
        (3, &early, EvidenceState::Gone),
        // A reboot of the node lets the kubelet count from 0 again.
        (0, &predecessor(), EvidenceState::Gone),
    ];
    for (restart_count, written, state) in cases {
        let server = Server::default().current([Reply::Log(written.clone())]).previous([NO_PREVIOUS]);
        let answer = server.fetch(&Termination { restart_count, ..termination(SeenIn::State) }).await;
        assert_eq!(answer.state, state, "{restart_count}: {answer:?}");
    }
}

#[tokio::test]
async fn with_a_successor_the_current_log_is_never_read_whatever_became_of_the_previous_one() {
    for reply in [Reply::Log(predecessor()), Reply::Raw(String::new()), NO_PREVIOUS, error_text(ID)] {
        let server = Server::default().previous([reply]);
        let answer = server.fetch(&Termination { successor_running: true, ..termination(SeenIn::LastState) }).await;
        assert!(matches!(answer.state, EvidenceState::Gone | EvidenceState::Empty), "{answer:?}");
        assert_eq!((answer.classification.log_bytes, answer.source), (0, EvidenceSource::Status));
        assert_eq!(server.asked(), [(true, 2000)]);
    }
}

#[tokio::test]
async fn a_successor_of_the_same_second_is_told_apart_by_the_previous_log() {
    let server = Server::default().current([Reply::Log(successor())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(false, 2000), (true, 1), (true, 2000)]);
}

#[tokio::test]
async fn a_successor_of_the_same_second_is_told_apart_by_the_error_for_the_previous_log() {
    for text in [
        format!("unable to retrieve container logs for {ID}"),
        "failed to try resolving symlinks in path \"/var/log/pods/shop_checkout-1_4f0c/api/3.log\": lstat \
         /var/log/pods/shop_checkout-1_4f0c/api/3.log: no such file or directory\n"
            .into(),
    ] {
        let server = Server::default().current([Reply::Log(successor())]).previous([Reply::Raw(text)]);
        let answer = server.fetch(&termination(SeenIn::State)).await;
        assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
        assert_eq!(answer.classification.log_bytes, 0);
    }
}

#[tokio::test]
async fn a_log_that_only_holds_the_last_second_is_verified_by_what_the_previous_log_is() {
    let quiet = log(&[(20.3, "fatal error: concurrent map writes")]);
    for previous in [NO_PREVIOUS, Reply::Log(predecessor()), error_text("containerd://another")] {
        let server = Server::default().current([Reply::Log(quiet.clone())]).previous([previous]);
        let answer = server.fetch(&termination(SeenIn::State)).await;
        assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
        assert_rests_on(&answer, &quiet);
        assert_eq!(server.asked(), [(false, 2000), (true, 1)]);
    }
}

#[tokio::test]
async fn a_pod_that_is_deleted_has_no_successor() {
    let quiet = log(&[(20.3, "panic: at shutdown")]);
    let server = Server::default().current([Reply::Log(quiet.clone())]);
    let mut termination = termination(SeenIn::State);
    Arc::make_mut(&mut termination.pod).stopping = Some(Stopping::Deleted);
    let answer = server.fetch(&termination).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
}

#[tokio::test]
async fn after_a_restart_in_between_the_current_log_is_only_accepted_if_it_began_before_the_end() {
    let server = Server::default().previous([NO_PREVIOUS]).current([Reply::Log(successor())]);
    let answer = server.fetch(&termination(SeenIn::LastState)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);

    let server = Server::default().previous([NO_PREVIOUS]).current([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::LastState)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
}

#[tokio::test]
async fn an_error_that_comes_as_the_log_is_none_of_the_containers_words() {
    let server = Server::default().current([error_text(ID)]).previous([NO_PREVIOUS]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
    assert_eq!((answer.classification.log_bytes, answer.reads), (0, 2));
}

#[tokio::test]
async fn without_a_log_the_termination_message_is_classified() {
    let server = Server::default().current([error_text(ID)]).previous([NO_PREVIOUS]);
    let message = Some("panic: written to /dev/termination-log".into());
    let answer = server.fetch(&Termination { message, ..termination(SeenIn::State) }).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::TerminationMessage);
    assert_eq!(answer.classification.log_bytes, 0, "no log was read");
}

#[tokio::test]
async fn an_empty_log_says_so_and_the_other_one_is_no_substitute() {
    let server = Server::default().current([Reply::Raw(String::new())]).previous([Reply::Log(predecessor())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Empty, EvidenceSource::Status);
    assert_eq!((answer.classification.log_bytes, server.asked()), (0, vec![(false, 2000), (true, 2000)]));
}

#[tokio::test]
async fn the_empty_log_of_a_successor_that_just_started_gives_way_to_the_previous_one() {
    let server = Server::default().current([Reply::Raw(String::new())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
}

#[tokio::test]
async fn a_command_that_never_started_wrote_nothing_and_its_message_says_why() {
    let server = Server::default().current([Reply::Raw(String::new())]);
    let died = Termination {
        reason: Some("StartError".into()),
        exit_code: Some(128),
        message: Some("exec: \"/no/such/binary\": no such file or directory".into()),
        started_at: None,
        ..termination(SeenIn::State)
    };
    let answer = server.fetch(&died).await;
    assert_evidence(&answer, EvidenceState::Empty, EvidenceSource::TerminationMessage);
    assert_eq!(server.asked(), [(false, 2000)]);
}

#[tokio::test]
async fn a_node_that_ignores_timestamps_leaves_the_log_unverified() {
    let server = Server::default().current([Reply::Raw(words(&own()))]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Unverified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &own());
}

#[tokio::test]
async fn without_time_stamps_the_other_log_is_never_accepted() {
    let server = Server::default().current([NO_PREVIOUS]).previous([Reply::Raw(words(&own()))]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
}
