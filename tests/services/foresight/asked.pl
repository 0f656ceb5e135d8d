#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# usage: asked.pl PORT      as asked.c; each question requires what it needs when it is put.
use strict;
use Socket;

my %questions = (
    time   => sub { require Time::Piece; Time::Piece::gmtime(1e9)->strftime('%A') },
    digest => sub { require Digest::SHA; Digest::SHA::sha1_hex('canary') },
    koi8   => sub { require Encode; unpack 'H*', Encode::encode('koi8-r', "\x{43a}\x{43b}") },
    name   => sub { require charnames; charnames::viacode(0x0444) },
    shell  => sub { my $said = `echo canary | tr a-z A-Z`; chomp $said; $said },
    beside => sub { require Cage::Bird; Cage::Bird::sings() },
);

socket(my $server, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt $server, SOL_SOCKET, SO_REUSEADDR, 1;
bind $server, pack_sockaddr_in($ARGV[0], INADDR_LOOPBACK) or die $!;
listen $server, 8;
while (accept my $client, $server) {
    chomp(my $question = <$client> // '');
    my $reply = eval { $questions{$question}->() } // "error: $@";
    syswrite $client, "$reply\n";
    close $client;
}
