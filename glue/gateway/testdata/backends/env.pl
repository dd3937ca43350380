#!/usr/bin/perl
# A CGI program that reports what it is told about a request.
use strict;
use warnings;
use Digest::SHA 'sha256_hex';

sub quoted {
	my ($text) = @_;
	$text =~ s/([^ !#-\[\]-~])/sprintf '\\u%04x', ord $1/ge;
	return qq("$text");
}

binmode STDIN;
my $body = '';
read STDIN, $body, $ENV{CONTENT_LENGTH} if $ENV{CONTENT_LENGTH};
my $seen = delete $ENV{BACKEND_SEEN};
my $env = join ',', map { quoted($_) . ':' . quoted($ENV{$_}) } keys %ENV;
my $line = sprintf '{"env":{%s},"length":%d,"sha256":"%s"}', $env, length $body, sha256_hex($body);
open my $file, '>>', $seen or die "$seen: $!";
syswrite $file, "$line\n";
close $file or die "$seen: $!";
printf "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length $line, $ENV{REQUEST_METHOD} eq 'HEAD' ? '' : $line;
